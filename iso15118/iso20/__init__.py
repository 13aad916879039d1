"""What both sides of an ISO 15118-20 session share: numbers, service ids and parameters, and how messages travel."""
