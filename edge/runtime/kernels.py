"""What the daemon must know of each vertical beyond its kernel: how to make its inputs.

A new vertical is one function and one line here. Kernels are imported when they are needed: the canteen's daemon never
loads the garage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.domain.devices import DeviceReading
from edge.domain.kernel import Kernel

if TYPE_CHECKING:
    from edge.site_model import Site

#: 300 words a second wake the gym's daemon 30 times. A pulse is weighed over 5 to 30 s, a machine speaks once a second:
#: nobody sees a twenty-fifth of a second (decision 0012).
GYM_GATHER_S = 0.04


@dataclass(frozen=True, slots=True)
class VerticalAdapter:
    """A kernel and the constructors of the inputs that the shell itself makes.

    ``command_type`` is the struct (or union) of commands; each has a ``command_id``. ``day`` takes an ISO date.
    ``configs`` gives the inputs that carry a site's configuration, in order. ``gather_s``: words that come over MQTT or
    Bluetooth may wait for so long before they are looked at (``edge.runtime.gathering``); 0: no word ever waits."""

    kernel: Kernel[Any, Any]
    command_type: Any
    timer: Callable[[], Any]
    day: Callable[[str], Any]
    configs: Callable[[Site], tuple[Any, ...]]
    utc_offset_min: Callable[[Site], int]
    gather_s: float = 0.0

    def command_id(self, item: Any) -> str | None:
        """The id under which ``item`` must be answered; None when nobody asked."""
        return None if isinstance(item, DeviceReading) else getattr(item, "command_id", None)


def _canteen() -> VerticalAdapter:
    from edge.domain.canteen.kernel import CanteenKernel  # noqa: PLC0415 - see the module's head
    from edge.domain.canteen.messages import Command, ConfigApplied, DayOpened, Timer  # noqa: PLC0415

    return VerticalAdapter(
        kernel=CanteenKernel(),
        command_type=Command,
        timer=Timer,
        day=DayOpened,
        configs=lambda site: (ConfigApplied(site.canteen),),
        utc_offset_min=lambda site: site.canteen.utc_offset_min,
    )


def _garage() -> VerticalAdapter:
    from edge.domain.garage.kernel import GarageKernel  # noqa: PLC0415 - see the module's head
    from edge.domain.garage.messages import Command, ConfigApplied, DayOpened, Timer  # noqa: PLC0415

    return VerticalAdapter(
        kernel=GarageKernel(),
        command_type=Command,
        timer=Timer,
        day=DayOpened,
        configs=lambda site: () if site.garage is None else (ConfigApplied(site.garage),),
        utc_offset_min=lambda site: 480 if site.garage is None else site.garage.utc_offset_min,
    )


def _gym() -> VerticalAdapter:
    from edge.domain.gym.kernel import GymKernel  # noqa: PLC0415 - see the module's head
    from edge.domain.gym.messages import Command, ConfigApplied, DayOpened, Timer  # noqa: PLC0415

    return VerticalAdapter(
        kernel=GymKernel(),
        command_type=Command,
        timer=Timer,
        day=DayOpened,
        configs=lambda site: () if site.gym is None else (ConfigApplied(site.gym),),
        utc_offset_min=lambda site: 480 if site.gym is None else site.gym.utc_offset_min,
        gather_s=GYM_GATHER_S,
    )


KERNELS: dict[str, Callable[[], VerticalAdapter]] = {"canteen": _canteen, "garage": _garage, "gym": _gym}
