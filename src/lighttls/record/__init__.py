"""Records: framing, alerts, flood limits, and the layer that protects and opens them."""

from lighttls.record.alerts import fatal_alert, read_alert
from lighttls.record.framing import MAX_PLAINTEXT
from lighttls.record.layer import OpenData, RecordLayer, SealData
from lighttls.record.outbox import Outbox
from lighttls.record.patience import Patience

__all__ = ["MAX_PLAINTEXT", "OpenData", "Outbox", "Patience", "RecordLayer", "SealData", "fatal_alert", "read_alert"]
