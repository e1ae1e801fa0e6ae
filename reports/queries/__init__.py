"""What the reports read. Frozen dataclasses out, keyword arguments in; a request never comes here."""
