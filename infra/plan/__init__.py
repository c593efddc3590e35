"""What there is: steps with their triggers and permissions, queues, tables, state machines, and the stages they are for."""
