"""The modes that the tests go through are all that the driver offers."""

from __future__ import annotations

from lighttls import ConfigurationError
from lighttls.testing.modem import MODULES, Echo, Network, SimulatedModem
from lighttls.transports.at_modem import Modem
from lighttls.transports.at_modem.families import FAMILIES as DIALECTS
from support.modem import FAMILIES, MODES


def offered() -> list[tuple[str, dict[str, object]]]:
    """What `Modem` takes, tried out."""
    found: list[tuple[str, dict[str, object]]] = []
    for dialect in DIALECTS:
        for settings in ({}, {"access": "push"}, {"access": "transparent"}, {"hex_mode": True}):
            try:
                Modem(SimulatedModem(FAMILIES[dialect], Network(lambda host, port: Echo())), dialect, **settings)
            except ConfigurationError:
                continue
            found.append((dialect, settings))
    return found


def test_every_dialect_and_mode_of_the_driver_is_one_of_the_tests() -> None:
    assert sorted(map(str, offered())) == sorted(map(str, MODES))


def test_every_simulated_module_has_its_dialect() -> None:
    assert set(MODULES) == set(FAMILIES.values())
