FROM python:3.11.15-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ENVIRONMENT=production BIND=0.0.0.0:8000 STATIC_ROOT=/app/static-collected
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
# The settings need a secret. This one is only for this command.
RUN SECRET_KEY=only-for-collecting-static-files-only-for-collecting-static-files python manage.py collectstatic --no-input \
    && useradd --system --no-create-home --uid 10001 --user-group web
# A number, because Kubernetes cannot see that a name is not root.
USER 10001:10001
EXPOSE 8000
# Migrations come first, and may take long.
HEALTHCHECK --interval=10s --timeout=3s --start-period=1h \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["gunicorn"]
