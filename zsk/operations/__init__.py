"""Pages of the ZSK's operations under /betrieb/: what is to do, requests, people, authorities, the audit log.

They stand over all rooms, because they look into all of them; each change is made by its room's own code.
"""
