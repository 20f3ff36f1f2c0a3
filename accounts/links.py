"""The pages behind the links of messages, and the one that asks for such a link. They need no sign-in."""

from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import email_change, sessions
from accounts.notices import send_notice
from accounts.tasks import send_resets
from accounts.tokens import change_to_confirm, user_to_reset
from web import mail
from web.declared_access import public

PAGE = ["GET", "HEAD", "POST"]
ADDRESS_LENGTH = 254


@public
@never_cache
@require_http_methods(PAGE)
def forgotten(request: HttpRequest) -> HttpResponseBase:
    """Asks for the address. The answer is the same whether an account has it; a job looks, after the answer."""
    if not settings.LOCAL_PASSWORDS or not mail.is_on():
        return render(request, "accounts/forgotten.html", {"is_off": True}, status=404)
    if request.method != "POST":
        return render(request, "accounts/forgotten.html")
    address = request.POST.get("address", "").strip()[:ADDRESS_LENGTH].replace("\0", "")
    if ratelimit.consume(request, action="reset_password", key=address.lower()):
        send_resets.defer(address=address)
    return render(request, "accounts/forgotten.html", {"is_sent": True})


@public
@never_cache
@require_http_methods(PAGE)
def reset(request: HttpRequest) -> HttpResponseBase:
    user = user_to_reset(request.GET.get("token", "")) if settings.LOCAL_PASSWORDS else None
    if user is None or not user.has_usable_password():
        return render(request, "accounts/bad_link.html", status=404)
    form = SetPasswordForm(user, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/reset.html", {"form": form}, status=422 if form.errors else 200)
    form.save()
    sessions.end_all(user)
    send_notice(user, "password_changed")
    return render(request, "accounts/reset.html", {"is_done": True})


@public
@never_cache
@require_http_methods(PAGE)
def confirm_email(request: HttpRequest) -> HttpResponse:
    """Confirms at a click on the page, not when the link is opened: programs that check mail open links."""
    found = change_to_confirm(request.GET.get("token", ""))
    if found is None:
        return render(request, "accounts/bad_link.html", status=404)
    change, side = found
    outcome = email_change.confirm(change, side) if request.method == "POST" else ""
    if outcome == "gone":
        return render(request, "accounts/bad_link.html", status=404)
    context = {"new_address": change.new_address, "is_old": side == "old", "outcome": outcome}
    return render(request, "accounts/confirm_email.html", context)
