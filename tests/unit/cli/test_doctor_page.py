"""What docs/doctor.md shows is what the command prints, but for the names of ports, and milliseconds."""

from __future__ import annotations

import json
import re
import sys

import pytest

from lighttls.cli.doctor.walk import LAYERS
from support import certificates as kit
from support import refused
from support.clinic import Clinic
from support.refused import LEAF, MIDDLE, ROOT
from support.require import REPOSITORY
from support.terminal import listening, showing

PAGE = (REPOSITORY / "docs" / "doctor.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```console\n\$ lighttls doctor .*?\n((?! ).*?)```", PAGE, re.DOTALL)
"""The output in each console block: from the first line that is not the command's."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")


def as_on_the_page(printed: str) -> str:
    printed = re.sub(r"/dev/pts/\d+|/dev/ttys\d+", "/dev/ttyUSB2", printed)
    printed = re.sub(r"\bport \d+", "port 8883", printed)
    return re.sub(r"in \d+ ms", "in 431 ms", printed)


def test_page_shows_a_device_in_good_health(clinic: Clinic) -> None:
    port = clinic.using(listening(showing(LEAF, MIDDLE, request=True))).partition(":")[2]
    over = clinic.modem(f"host.example:{port}", network_time="2026/06/01,00:00:02+00,0")
    chip = ["--i2c", "support.patients:sound_chip", "--cert", clinic.device()]
    shown = clinic.run([*over, *chip, *clinic.trusting(), "--at", str(kit.NOW)])
    assert as_on_the_page(shown.out) == SHOWN[0]
    assert "in 0 ms" not in shown.out  # a handshake over a serial line takes longer


def test_page_shows_a_sim_that_wants_its_pin(clinic: Clinic) -> None:
    assert as_on_the_page(clinic.run(clinic.modem(sim="SIM PIN")).out) == SHOWN[1]


def test_page_shows_a_certificate_for_another_key(clinic: Clinic) -> None:
    other = kit.make("device", kit.ec_key("another device"), ROOT)
    clinic.file("device.pem", refused.pem([other]))
    clinic.patch.chdir(clinic.terminal.folder)
    shown = clinic.run([clinic.somewhere(), "--i2c", "support.patients:sound_chip", "--cert", "device.pem"])
    assert as_on_the_page(shown.out) == SHOWN[2]


def test_page_shows_what_programs_get(clinic: Clinic) -> None:
    block = PAGE.partition("```json\n")[2].partition("```")[0]
    shown = clinic.run(clinic.modem("host.example:8883", sim="SIM PIN"), "--json").data
    shown["layers"] = shown["layers"][1:4]
    assert json.loads(block.replace("…,", "").replace(", …", "")) == shown


def test_page_names_every_layer() -> None:
    named = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert named == list(LAYERS)
