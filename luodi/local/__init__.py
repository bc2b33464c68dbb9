"""The local stack: a real Kafka and a real MongoDB as child processes, the services, the sample zones."""
