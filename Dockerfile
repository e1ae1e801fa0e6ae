# One image for web, worker, beat and the one-shot migration; docker-compose.yml says which process it runs.
# The target `proxy` is the TLS proxy in front.
FROM node:20-slim AS frontend
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
COPY Makefile package.json package-lock.json .npmrc ./
RUN make frontend

FROM python:3.11-slim AS packages
COPY requirements.lock ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

# Caddy as nobody in particular: a new volume takes the owner that /data has here.
FROM caddy:2 AS proxy
RUN adduser -D -H -u 10001 proxy && chown proxy /data /config
COPY deploy/Caddyfile /etc/caddy/Caddyfile
USER proxy

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --home-dir /nonexistent zsk
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
COPY --from=frontend /app/static/vendor static/vendor
RUN pybabel --quiet compile --directory locale --domain django
ENV ZSK_ENVIRONMENT=production STATIC_ROOT=/app/staticfiles WEB_BIND=0.0.0.0:8000
# Placeholders, for this step only: nothing is connected to, and no secret is baked in.
RUN SECRET_KEY=x KEY_PEPPERS=1:x DATABASE_URL=postgresql://x/x REDIS_URL=redis://x \
    EMAIL_HOST=x DEFAULT_FROM_EMAIL=x@x \
    python manage.py collectstatic --noinput --verbosity 0
USER zsk
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-m", "zsk.probe"]
CMD ["gunicorn", "--config", "python:zsk.gunicorn", "zsk.wsgi"]
