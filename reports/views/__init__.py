"""The open pages. Who may: everyone, published services only, unless a view says otherwise."""
