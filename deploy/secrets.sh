#!/bin/sh
# Random secrets for docker-compose.yml, once: what exists is never overwritten.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -e "secrets/$1" ] || printf %s "$2" >"secrets/$1"; }

keep postgres_password "$(random)"
keep database_url "postgresql://zsk:$(cat secrets/postgres_password)@postgres/zsk"
keep secret_key "$(random)"
keep key_peppers "1:$(random)"
keep keycloak_admin_password "$(random)"
keep oidc_client_secret "$(random)"
# Of the mail server; empty where it asks for none.
keep email_password ""
# Readable for the users inside the containers; the folder itself keeps everybody else out.
chmod 0444 secrets/*
