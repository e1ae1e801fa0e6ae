"""Pages of people: log-in, their own account, its second factor, and the mail that the demo keeps."""
