"""Walking a plan. No decisions are taken here."""
