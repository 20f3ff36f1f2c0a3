from django.apps import AppConfig, apps

# What the admin's first page calls the parts that come with packages.
OTHERS = {"auth": "Users", "axes": "Sign-in attempts"}


class WorkspacesConfig(AppConfig):
    name = "workspaces"
    verbose_name = "Workspaces and access"

    def ready(self) -> None:
        for label, verbose_name in OTHERS.items():
            apps.get_app_config(label).verbose_name = verbose_name
