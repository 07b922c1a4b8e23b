"""Lets IBM's DB2 driver read from Apache Derby, whose network server speaks the same protocol.

Both speak DRDA, each with words the other does not know. The front stands between them and
rewrites these alone: what either says of its product and release, parameters that Derby has no
notion of, the notation of bound texts and times, the schema of the session, and Derby's error
states, which become the codes that DB2 gives for the same fault. Rows pass as they are.

It proves connecting, login, types, NULLs, UTF-8, parameters and bulk fetching through IBM's own
driver; it proves nothing about DB2's SQL. Codes are named as in the DRDA reference, volume 3.
Run as `python -m tools.sources.drda_front --socket N --behind PORT`, where N is a listening
socket that the process inherits.
"""

import argparse
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import BinaryIO, Final, cast

from tools.sources.drda import Parameters, Structure, encode_parameters, encode_u16, parse_parameters, read_chains

# Product, release and level that each side takes from the other.
_CLIENT_LEVEL: Final = "DNC10010"
_SERVER_LEVEL: Final = "SQL09070"
_SERVER_CLASS: Final = "QDB2/LINUXX8664"

_ACCRDB, _ACCRDBRM = 0x2001, 0x2201
_EXCSATRD = 0x1443
_EXCSQLIMM, _EXCSQLSTT = 0x200A, 0x200B
_SQLSTT, _SQLDTA, _SQLCARD = 0x2414, 0x2412, 0x2408
_LEAVING = 0xC004  # IBM's own: the client is about to close
_PRDID, _SRVCLSNM, _SRVRLSLV = 0x112E, 0x1147, 0x115A
_PKGNAMCSN, _TYPDEFOVR = 0x2113, 0x0035
_FDODSC, _FDODTA = 0x0010, 0x147A
_CCSIDS = frozenset({0x119C, 0x119D, 0x119E})
_UNKNOWN_TO_DERBY: Final = {
	0x2014: {0x210E},  # EXCSQLSET, RTNSETSTT
	_EXCSQLIMM: {0x210E},
	_EXCSQLSTT: {0x210E},
	0x2008: {0x215B},  # DSCSQLSTT, QRYINSID
	0x200E: {0x119F},  # RDBCMM, RLSCONV
	0x200F: {0x119F},  # RDBRLLBCK, RLSCONV
}
# Section 34 of this package of IBM's sets the session's schema.
_SET_SCHEMA: Final = b"SYSSTAT ".ljust(18) + b"SYSLVL01\x00\x22"
_IMMEDIATE: Final = b"SYSSH200".ljust(18) + b"SYSLVL01\x00\x01"
# Of a bound parameter, all nullable.
_TIMESTAMP, _VARGRAPHIC, _VARMIX = 0x25, 0x39, 0x3F
_VARYING: Final = frozenset({0x33, 0x35, 0x3F, 0x41, 0x29})
_DECIMALS: Final = frozenset({0x0F})
# Bytes of an SQLCARD before the name of the database.
_FIXED_FIELDS: Final = 1 + 4 + 5 + 8 + 1 + 24 + 11
# Derby's SQLSTATE -> DB2's SQLCODE and SQLSTATE, and the words it names.
_FAULTS: Final[dict[bytes, tuple[int, bytes, Callable[[list[bytes]], list[bytes]]]]] = {
	b"42X05": (-204, b"42704", lambda words: words[:1]),
	b"42Y07": (-204, b"42704", lambda words: words[:1]),
	b"42X04": (-206, b"42703", lambda words: words[:1]),
	b"42502": (-551, b"42501", lambda words: [words[0], words[1], words[3] + b"." + words[4]]),
	b"42500": (-551, b"42501", lambda words: [words[0], words[1], words[2] + b"." + words[3]]),
}


def rewrite_request(chain: list[Structure]) -> list[Structure]:
	"""What IBM's driver asks, in words that Derby knows."""
	rewritten: list[Structure] = []
	sets_schema = False
	for structure in chain:
		code, body = structure.code, structure.body
		if code == _EXCSQLSTT and _SET_SCHEMA in body:
			sets_schema = True
			package = dict(parse_parameters(body))[_PKGNAMCSN]
			name = package[: package.index(_SET_SCHEMA)] + _IMMEDIATE
			body = encode_parameters([(_PKGNAMCSN, name)])
			rewritten.append(structure.with_objects([(_EXCSQLIMM, body)]))
		elif code == _SQLDTA and sets_schema:
			sets_schema = False
			schema = dict(parse_parameters(body))[_FDODTA][4:].decode()
			statement = f'SET SCHEMA "{schema}"'.encode()
			body = b"\x00" + len(statement).to_bytes(4, "big") + statement + b"\xff"
			rewritten.append(structure.with_objects([(_SQLSTT, body)]))
		elif code == _SQLDTA:
			rewritten.append(structure.with_objects([(code, _rewrite_bound(body))]))
		elif code == _LEAVING:
			if rewritten:
				rewritten[-1] = rewritten[-1].last()
		elif code == _ACCRDB or code in _UNKNOWN_TO_DERBY:
			rewritten.append(structure.with_objects([(code, _rewrite_command(code, body))]))
		else:
			rewritten.append(structure)
	return rewritten


def rewrite_reply(chain: list[Structure]) -> list[Structure]:
	"""What Derby answers, in words that IBM's driver knows."""
	rewrites = {_EXCSATRD: _rewrite_attributes, _ACCRDBRM: _rewrite_access, _SQLCARD: _rewrite_fault}

	def rewrite(structure: Structure) -> Structure:
		if not any(code in rewrites for code, _ in structure.objects):
			return structure
		return structure.with_objects(
			[(code, rewrites[code](body) if code in rewrites else body) for code, body in structure.objects]
		)

	return [rewrite(structure) for structure in chain]


def serve(listener: socket.socket, behind: int) -> None:
	"""Pass connections on to Derby's port on loopback until the process is ended."""
	while True:
		client, _ = listener.accept()
		try:
			server = socket.create_connection(("127.0.0.1", behind))
		except ConnectionRefusedError:  # Derby is stopped
			client.close()
			continue
		for end in (client, server):
			end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		for pump in (partial(_pump, client, server, rewrite_request), partial(_pump, server, client, rewrite_reply)):
			threading.Thread(target=pump, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, rewrite: Callable[[list[Structure]], list[Structure]]) -> None:
	"""Pass on what one side says; when it ends or fails, the other side hears of it."""
	is_leaving = False
	try:
		with source.makefile("rb", buffering=1 << 18) as stream:
			for chain in read_chains(cast(BinaryIO, stream)):
				sink.sendall(b"".join(part.wire for part in rewrite(chain)))
				if is_leaving := any(part.code == _LEAVING for part in chain):
					break
	except OSError:
		is_leaving = False
	finally:
		# Derby finishes what it was asked before it closes.
		for end, how in [(sink, socket.SHUT_WR)] if is_leaving else [(source, socket.SHUT_RDWR), (sink, socket.SHUT_RDWR)]:
			with suppress(OSError):
				end.shutdown(how)


def _rewrite_command(command: int, body: bytes) -> bytes:
	unknown = _UNKNOWN_TO_DERBY.get(command, ())
	return encode_parameters(
		[
			(code, _text(_CLIENT_LEVEL, value) if code == _PRDID else value)
			for code, value in parse_parameters(body)
			if code not in unknown
		]
	)


def _rewrite_attributes(body: bytes) -> bytes:
	said = {_SRVCLSNM: _SERVER_CLASS, _SRVRLSLV: _SERVER_LEVEL}
	return encode_parameters(
		[(code, _text(said[code], value) if code in said else value) for code, value in parse_parameters(body)]
	)


def _rewrite_access(body: bytes) -> bytes:
	"""Derby keeps two parameters inside TYPDEFOVR that belong beside it."""
	rewritten: Parameters = []
	for code, value in parse_parameters(body):
		if code == _PRDID:
			rewritten.append((code, _text(_SERVER_LEVEL, value)))
		elif code == _TYPDEFOVR:
			inner = parse_parameters(value)
			rewritten.append((code, encode_parameters([part for part in inner if part[0] in _CCSIDS])))
			rewritten += [part for part in inner if part[0] not in _CCSIDS]
		else:
			rewritten.append((code, value))
	return encode_parameters(rewritten)


def _rewrite_bound(body: bytes) -> bytes:
	"""Bound texts from UTF-16 to UTF-8, bound times with all their digits."""
	parts = dict(parse_parameters(body))
	described, data = parts[_FDODSC], parts[_FDODTA]
	# Length, 0x76, 0xD0, then type and size of each parameter.
	end = described[0]
	types, values, at = [], [data[:1]], 1
	for kind, *size in (described[n : n + 3] for n in range(3, end, 3)):
		is_null, at = data[at : at + 1], at + 1
		values.append(is_null)
		value = b""
		if is_null == b"\x00":
			length = _length_of(kind, int.from_bytes(bytes(size), "big"), data[at : at + 2])
			value, at = data[at : at + length], at + length
		if kind == _VARGRAPHIC:
			text = value[2:].decode("utf-16-be").encode()
			value = encode_u16(len(text)) + text if value else value
			types.append(bytes((_VARMIX, 0x7F, 0xFF)))
		else:
			types.append(bytes((kind, *size)))
		if kind == _TIMESTAMP and value:
			# A missing fraction arrives as blanks.
			value = _complete(value.rstrip())
		values.append(value)
	described = described[:3] + b"".join(types) + described[end:]
	return encode_parameters([(_FDODSC, described), (_FDODTA, b"".join(values))])


def _complete(seconds: bytes) -> bytes:
	"""`2016-01-31-10.11.12` and its fraction, with six digits."""
	whole, fraction = seconds[:19], seconds[20:]
	return whole + b"." + fraction.ljust(6, b"0")


def _length_of(kind: int, size: int, start: bytes) -> int:
	"""Bytes of a bound value, its own length included."""
	if kind == _VARGRAPHIC:
		return 2 + 2 * int.from_bytes(start, "big")
	if kind in _VARYING:
		return 2 + int.from_bytes(start, "big")
	if kind in _DECIMALS:
		return (size >> 8) // 2 + 1
	return size


def _rewrite_fault(body: bytes) -> bytes:
	"""The code that DB2 gives for the same fault, with its words."""
	state = body[5:10]
	if body[:1] != b"\x00" or state not in _FAULTS:
		return body
	code, db2_state, pick = _FAULTS[state]
	# Up to the name of the database; then that and the words, with lengths.
	at = _FIXED_FIELDS + 2 + int.from_bytes(body[_FIXED_FIELDS : _FIXED_FIELDS + 2], "big")
	end = at + 2 + int.from_bytes(body[at : at + 2], "big")
	words = b"\xff".join(pick(body[at + 2 : end].split(b"\x14")))
	return (
		b"\x00"
		+ code.to_bytes(4, "big", signed=True)
		+ db2_state
		+ body[10:at]
		+ encode_u16(len(words))
		+ words
		+ body[end:]
	)


def _text(said: str, instead_of: bytes) -> bytes:
	"""In EBCDIC or ASCII, as the value that it replaces."""
	return said.encode("cp500" if instead_of[:1] > b"\x7f" else "ascii")


def main() -> None:
	"""Serve on an inherited socket until the process is ended."""
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--socket", type=int, required=True)
	parser.add_argument("--behind", type=int, required=True)
	given = parser.parse_args()
	serve(socket.socket(fileno=given.socket), given.behind)


if __name__ == "__main__":
	main()
