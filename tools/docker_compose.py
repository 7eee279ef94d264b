"""The real Docker Compose for tests: it checks a file without an engine."""

from tools.go_program import GoProgram

COMPOSE = GoProgram("docker-compose", folder="compose", module="github.com/docker/compose/v5", minutes=2)
