"""Salesforce over its REST API: sObjects, collections, upsert by external id, SOQL look-ups, describe."""
