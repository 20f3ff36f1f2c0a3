from importlib import import_module

from django.apps import AppConfig, apps

# Names of other packages' apps on the admin's first page.
NAMES_OF_PACKAGES = {"auth": "Users", "axes": "Sign-in attempts"}


class WorkspacesConfig(AppConfig):
    name = "workspaces"
    verbose_name = "Workspaces and access"

    def ready(self) -> None:
        for label, verbose_name in NAMES_OF_PACKAGES.items():
            apps.get_app_config(label).verbose_name = verbose_name
        import_module("workspaces.admin_audit").connect()
