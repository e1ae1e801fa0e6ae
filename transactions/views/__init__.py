"""The screens of delivering; each view says who may, and querysets hold it."""
