"""The form of DRDA's data streams, which DB2 and Apache Derby both speak.

Codes are named as in the DRDA reference, volume 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

Parameters = list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Structure:
	"""A data stream structure (DSS): six bytes of header, then objects.

	`objects` are code points and bodies; none when one is too long to be looked at.
	"""

	wire: bytes
	objects: Parameters

	@property
	def code(self) -> int:
		"""Code point of its first object."""
		return self.objects[0][0] if self.objects else 0

	@property
	def body(self) -> bytes:
		"""What its first object holds."""
		return self.objects[0][1] if self.objects else b""

	@property
	def is_chained(self) -> bool:
		"""Whether another structure follows in the same chain."""
		return bool(self.wire[3] & 0x40)

	def with_objects(self, objects: Parameters) -> Structure:
		"""The same structure around other objects."""
		body = encode_parameters(objects)
		return Structure(encode_u16(len(body) + 6) + self.wire[2:6] + body, objects)

	def last(self) -> Structure:
		"""The same structure as the last of its chain."""
		wire = self.wire[:3] + bytes((self.wire[3] & 0x0F,)) + self.wire[4:]
		return Structure(wire, self.objects)


def read_chains(stream: BinaryIO) -> Iterator[list[Structure]]:
	"""Structures in the chains that belong together, up to the end of the stream."""
	chain: list[Structure] = []
	while (structure := _read_structure(stream)) is not None:
		chain.append(structure)
		if not structure.is_chained:
			yield chain
			chain = []


def parse_parameters(body: bytes) -> Parameters:
	"""Code points and values of the parameters, or objects, that bytes are made of."""
	found, at = [], 0
	while at < len(body):
		length = int.from_bytes(body[at : at + 2], "big")
		found.append((int.from_bytes(body[at + 2 : at + 4], "big"), body[at + 4 : at + length]))
		at += length
	return found


def encode_parameters(parameters: Parameters) -> bytes:
	"""Parameters as they go over the wire."""
	return b"".join(encode_u16(len(value) + 4) + encode_u16(code) + value for code, value in parameters)


def encode_u16(number: int) -> bytes:
	"""Two bytes, the higher first."""
	return number.to_bytes(2, "big")


def _read_structure(stream: BinaryIO) -> Structure | None:
	header = stream.read(6)
	if len(header) < 6:
		return None
	length = int.from_bytes(header[:2], "big")
	if not length & 0x8000:
		rest = stream.read(length - 6)
		return Structure(header + rest, parse_parameters(rest))
	# Beyond 32 KB an object goes on in segments, each with its length.
	parts = [header, stream.read((length & 0x7FFF) - 6)]
	while length & 0x8000:
		mark = stream.read(2)
		length = int.from_bytes(mark, "big")
		parts += [mark, stream.read((length & 0x7FFF) - 2)]
	return Structure(b"".join(parts), [])
