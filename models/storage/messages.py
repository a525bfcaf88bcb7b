"""Protocol buffer messages as plain dictionaries for JSON."""

from typing import Any

from google.protobuf.message import Message


def as_dict(message: Message) -> dict[str, Any]:
    """Every field by its name in the .proto file, zeros included; absent optional fields and messages are left out.

    Unlike protobuf's own JSON mapping, 64-bit integers stay numbers.
    """
    values: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            values[field.name] = {str(key): value[key] for key in sorted(value)}
        elif field.is_repeated:
            values[field.name] = [as_dict(item) if isinstance(item, Message) else item for item in value]
        elif isinstance(value, Message):
            if message.HasField(field.name):
                values[field.name] = as_dict(value)
        elif not field.has_presence or message.HasField(field.name):
            values[field.name] = value
    return values
