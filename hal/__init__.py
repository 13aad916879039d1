"""What a charger's body can do: `types` says what it tells, `ports` what it takes, `registry` which drivers there are."""
