"""What travels over the wire, as marshmallow schemas: each is the validation and the documentation at once."""
