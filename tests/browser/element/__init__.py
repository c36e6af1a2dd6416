"""Journeys with the element `<isthmus-install>` in a product's page, which is of another site and strict."""
