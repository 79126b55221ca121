"""The API process: HTTP, live stream, pages and logins. The only folder that knows FastAPI and pydantic.

It decides nothing about money or plates: commands go to the daemon that owns them (``gateway``), stored rows are read
from its file (``books``). It owns logins only (``accounts``).
"""
