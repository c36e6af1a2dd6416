"""What builders are told, delivered to their webhooks."""
