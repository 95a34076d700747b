"""A forgotten password: a link by mail, where the console sends mail."""

from urllib.parse import urlencode
from uuid import UUID

from axes.utils import reset
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from lora_pipeline.models import User
from lora_pipeline.web.own_address import own_path, public_url

TASK, QUEUE = "mail_reset_link", "deliveries"
LINKS_AN_HOUR = 3
KEPT = "password_reset"
HOURS = settings.PASSWORD_RESET_TIMEOUT // 3600
NO_MAIL = (
    "This console sends no e-mail. Ask an operator to set a new password for you: on "
    "your user's page in the admin, or with 'manage.py changepassword USERNAME'."
)
SENT = (
    "If a user has this e-mail address, a link was sent to it. It can be used once, "
    f"within {HOURS} hours."
)
OLD = f"The link was used already, or is older than {HOURS} hours. Request a new one."
BODY = """Somebody, probably you, asked for a new password for the user {name} at
{console}.

To choose one, open this link within {hours} hours:

{link}

If it was not you, do nothing: the password stays as it is.
"""


class ResetForm(PasswordResetForm):
    """Asks for the address; says the same whether anybody has it."""

    def mail_links(self) -> None:
        """Have the worker mail a link to each user of the address, thrice an hour."""
        for user in self.get_users(self.cleaned_data["email"]):
            if _is_within_limit(user):
                _queue(user)


def _is_within_limit(user: User) -> bool:
    key = f"reset:{user.pk}"
    cache.add(key, 0, 3600)
    return cache.incr(key) <= LINKS_AN_HOUR


def _queue(user: User) -> None:
    lock = f"{TASK} {user.pk}"
    task = app.configure_task(TASK, queue=QUEUE, queueing_lock=lock)
    try:
        task.defer(user_id=str(user.pk))
    except AlreadyEnqueued:
        return


def mail_link(user_id: str) -> None:
    """Mail the link, made now: no secret waits in the queue.

    Raises OSError or smtplib.SMTPException if the mail server does not take it.
    """
    user = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if user is None:
        return
    token = default_token_generator.make_token(user)
    query = urlencode({"user": user_id, "token": token})
    url = public_url()
    link = f"{url}{own_path('password-new')}?{query}"
    words = {"name": user.username, "console": url, "link": link, "hours": HOURS}
    subject = "[LoRA Pipeline] Choose a new password"
    EmailMessage(subject=subject, body=BODY.format(**words), to=[user.email]).send()


def ask(request: HttpRequest) -> HttpResponse:
    """Where a link is asked for."""
    found = {"title": "Forgot your password?", "submit": "Send a link"}
    if not settings.EMAIL_HOST:
        return render(request, "error.html", {**found, "words": NO_MAIL})
    form = ResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.mail_links()
        messages.success(request, SENT)
        return redirect("sign-in")
    found["back"] = own_back()
    return render(request, "form.html", {**found, "form": form})


def own_back() -> str:
    """The sign-in page, as a browser has to ask for it."""
    return f"{settings.SUB_PATH}{own_path('sign-in')}"


def choose(request: HttpRequest) -> HttpResponse:
    """The link: its token moves to the session, so that no log and no page has it."""
    if "token" in request.GET:
        request.session[KEPT] = [request.GET.get("user", ""), request.GET["token"]]
        return redirect("password-new")
    user = _user_of(*request.session.get(KEPT, ("", "")))
    if user is None:
        found = {"title": "This link cannot be used", "words": OLD}
        return render(request, "error.html", found, status=410)
    form = SetPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        del request.session[KEPT]
        reset(username=user.username)
        messages.success(request, "The new password is set. Sign in with it.")
        return redirect("sign-in")
    hint = f"For the user {user.username}. Other sessions are signed out."
    found = {"title": "Choose a new password", "submit": "Set password", "hint": hint}
    return render(request, "form.html", {**found, "form": form})


def _user_of(user_id: str, token: str) -> User | None:
    """Whose link it is, if it can still be used."""
    try:
        user = User.objects.filter(pk=UUID(user_id), is_active=True).first()
    except ValueError:
        return None
    fits = user is not None and default_token_generator.check_token(user, token)
    return user if fits else None
