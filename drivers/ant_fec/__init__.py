"""ANT+ fitness equipment (FE-C) through a USB or serial ANT stick (``PROTOCOL.md``)."""
