"""Replaces Django's `{% for %}`: each round of a loop first checks the request's deadline.

A template takes no time but in its loops, and only the loops can be long.
"""

from typing import Any, cast

from django import template
from django.template.base import Origin, Parser, Token
from django.template.defaulttags import ForNode, do_for

from web.problems import check_deadline

register = template.Library()


class DeadlineNode(template.Node):
    def render(self, context: template.Context) -> str:
        check_deadline()
        return ""


@register.tag("for")
def timed_for(parser: Parser, token: Token) -> ForNode:
    node, check = do_for(parser, token), DeadlineNode()
    # The page of an error reads them while DEBUG is on. The parser sets those of the loop itself later.
    check.token, check.origin = token, cast(Origin, parser.origin)
    nodes: list[Any] = node.nodelist_loop  # django-stubs has it as a list of texts
    nodes.insert(0, check)
    return node
