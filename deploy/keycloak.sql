-- Keycloak keeps its realms beside our data, in a database of its own.
CREATE DATABASE keycloak;
