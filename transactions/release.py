"""Release rules: which services their Leistung's types let the public see, and publishing by them."""
