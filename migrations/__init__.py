"""The steps that bring a database from empty to what ``server/store/tables/`` says."""
