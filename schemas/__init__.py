"""The wire contract: what goes over HTTP and over Kafka, and the checks that both sides make."""
