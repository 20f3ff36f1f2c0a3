from django.apps import AppConfig


class ExplorerConfig(AppConfig):
    name = "explorer"

    def ready(self) -> None:
        """Adds its operations to the API document."""
        from analytics.openapi import OTHER_OPERATIONS
        from explorer import entity_operations, operations

        OTHER_OPERATIONS.extend((operations.operations, entity_operations.operations))
