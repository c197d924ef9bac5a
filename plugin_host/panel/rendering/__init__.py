"""Files dropped on the page: rendered in a process of their own, played, compared and fetched."""
