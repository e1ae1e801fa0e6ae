"""The open interface: published services, regions, Leistungen and evaluations, without a key."""
