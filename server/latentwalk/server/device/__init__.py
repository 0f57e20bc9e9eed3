"""The device in a process of its own, which draws while the event loop of the server has the interpreter to itself."""

from latentwalk.server.device.remote import Device, RemoteEngine, RemoteSearcher
from latentwalk.server.device.settings import DeviceSettings

__all__ = ["Device", "DeviceSettings", "RemoteEngine", "RemoteSearcher"]
