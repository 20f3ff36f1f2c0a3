FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ENVIRONMENT=production BIND=0.0.0.0:8000 STATIC_ROOT=/app/static-collected
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
# The settings need a secret. This one is only for this command.
RUN SECRET_KEY=only-for-collecting-static-files-only-for-collecting-static-files python manage.py collectstatic --no-input \
    && useradd --system --no-create-home web
USER web
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["gunicorn"]
