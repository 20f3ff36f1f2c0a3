"""Makes the row of links to the pages of the settings."""

from typing import Any

from django import template

from settings.sections import sections

register = template.Library()


@register.simple_tag(takes_context=True)
def settings_links(context: template.Context) -> list[dict[str, Any]]:
    """Returns the links of the row. Those of the account come last, and only people who are signed in see them."""
    path, workspace = context["request"].path, context.get("workspace")
    query = f"?workspace={workspace.id}" if workspace else ""
    shown = [
        (section, address)
        for section, address in sections()
        if (context["request"].user.is_authenticated if section.is_personal else workspace)
    ]
    return [
        {
            "name": section.name,
            "address": address + query,
            "is_current": f"{path}/".startswith(f"{address}/"),
            "is_personal": section.is_personal,
        }
        for section, address in shown
    ]
