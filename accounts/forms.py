from typing import Any

from django.core.exceptions import ValidationError
from django.forms import CharField, ModelForm

from accounts.models import Profile
from workspaces.time_zones import time_zones

NAME_LENGTH = 150


class ProfileForm(ModelForm):
    name = CharField(max_length=NAME_LENGTH, required=False)

    class Meta:
        model = Profile
        fields = ("time_zone", "theme")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = self.instance.user.get_full_name()

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"].strip()
        if name and name not in time_zones():
            raise ValidationError("This is no time zone; write it like Europe/Berlin.")
        return name

    def save(self, commit: bool = True) -> Any:
        user = self.instance.user
        user.first_name, user.last_name = self.cleaned_data["name"].strip(), ""
        user.save(update_fields=["first_name", "last_name"])
        return super().save(commit)
