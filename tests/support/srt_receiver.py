# SPDX-License-Identifier: Apache-2.0
"""A listener on libsrt itself, for what srt-live-transmit and ffmpeg do not tell: the streamid byte for byte, each
message, the state of the encryption; and it refuses with a reason of its choice."""
import ctypes
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

FORBIDDEN = 1403  # SRT_REJX_FORBIDDEN
KEYS_SECURED = 2  # SRT_KM_S_SECURED
# Options of libsrt by number.
RCVSYN, RCVTIMEO, PASSPHRASE, PBKEYLEN, RCVKMSTATE, RCVLATENCY = 2, 14, 26, 27, 41, 43
STATE_BROKEN = 6
LOG_CRITICAL = 2
TICK_MS = 100

LISTEN_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p,
                                   ctypes.c_char_p)


@dataclass
class Connection:
    """One that was let in."""
    handle: int
    messages: list[tuple[float, bytes]] = field(default_factory=list)   # (arrival, what came)
    key_bytes: int = 0
    key_state: int = 0
    ended: bool = False

    def bytes(self):
        return b"".join(message for _, message in self.messages)


class SrtReceiver:
    """Listens at `port` of loopback. `refuse`: an SRT reason to turn everybody away with."""

    def __init__(self, *, passphrase="", refuse=0, latency=20):
        self.lib = ctypes.CDLL("libsrt-gnutls.so.1.5")
        self.lib.srt_getlasterror_str.restype = ctypes.c_char_p
        self.lib.srt_startup()
        self.lib.srt_setloglevel(LOG_CRITICAL)  # "no connection pending" is an error to it
        self.streamids, self.connections, self.refuse, self.open = [], [], refuse, True
        self.listener = self.lib.srt_create_socket()
        self.set(RCVLATENCY, latency)
        self.set(RCVSYN, 0)
        if passphrase:
            text = passphrase.encode()
            self.checked(self.lib.srt_setsockflag(self.listener, PASSPHRASE, text, len(text)))
        self.callback = LISTEN_CALLBACK(self.greet)
        self.checked(self.lib.srt_listen_callback(self.listener, self.callback, None))
        address = struct.pack("=H", socket.AF_INET) + struct.pack(">H", 0) + socket.inet_aton("127.0.0.1") + bytes(8)
        self.checked(self.lib.srt_bind(self.listener, address, len(address)))
        name, size = ctypes.create_string_buffer(128), ctypes.c_int(128)
        self.checked(self.lib.srt_getsockname(self.listener, name, ctypes.byref(size)))
        self.port = struct.unpack_from(">H", name.raw, 2)[0]
        self.checked(self.lib.srt_listen(self.listener, 16))
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def checked(self, result):
        assert result != -1, f"libsrt: {self.lib.srt_getlasterror_str().decode()}"

    def set(self, option, value, handle=None):
        value = ctypes.c_int(value)
        self.checked(self.lib.srt_setsockflag(handle or self.listener, option, ctypes.byref(value), 4))

    def get(self, option, handle):
        value, size = ctypes.c_int(), ctypes.c_int(4)
        self.checked(self.lib.srt_getsockflag(handle, option, ctypes.byref(value), ctypes.byref(size)))
        return value.value

    def greet(self, _opaque, handle, _version, _peer, streamid):
        self.streamids.append(streamid)
        if self.refuse:
            self.lib.srt_setrejectreason(handle, self.refuse)
            return -1
        return 0

    def accept(self):
        while self.open:
            handle = self.lib.srt_accept(self.listener, None, None)
            if handle == -1:
                time.sleep(0.02)
                continue
            self.set(RCVSYN, 1, handle)
            self.set(RCVTIMEO, TICK_MS, handle)
            self.connections.append(Connection(handle))
            self.threads.append(threading.Thread(target=self.receive, args=[self.connections[-1]], daemon=True))
            self.threads[-1].start()

    def receive(self, connection):
        buffer = ctypes.create_string_buffer(1500)
        while self.open:
            size = self.lib.srt_recvmsg(connection.handle, buffer, len(buffer))
            if size > 0:
                connection.messages.append((time.monotonic(), buffer.raw[:size]))
                if len(connection.messages) == 1:
                    connection.key_bytes = self.get(PBKEYLEN, connection.handle)
                    connection.key_state = self.get(RCVKMSTATE, connection.handle)
            elif self.lib.srt_getsockstate(connection.handle) >= STATE_BROKEN:
                break
        self.lib.srt_close(connection.handle)
        connection.ended = True

    def latency_of(self, connection):
        """What both ends agreed on, milliseconds."""
        return self.get(RCVLATENCY, connection.handle)

    def hang_up(self):
        """Ends everything; nobody listens any more."""
        self.open = False
        for thread in self.threads:
            thread.join(10)
        if self.listener is not None:
            self.lib.srt_close(self.listener)
            self.listener = None

    def close(self):
        self.hang_up()
        self.lib.srt_cleanup()
