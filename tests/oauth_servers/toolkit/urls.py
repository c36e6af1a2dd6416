"""The site's addresses: the toolkit's own below ``/o/``, the contacts it guards, and what tests ask in ``/_test/``."""

from django.contrib.auth.views import LoginView
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.decorators import protected_resource
from oauth2_provider.urls import metadata_urlpatterns

from tests.oauth_servers.toolkit import views

# The toolkit answers 403 to a dead token unless it is told to say more, and then 401 as RFC 6750 has it.
_forbidding = protected_resource(scopes=["contacts.read"])(views.contacts)
_challenging = protected_resource(scopes=["contacts.read"], advertise_metadata=True)(views.contacts)

urlpatterns = [
    path("login/", LoginView.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("", include((metadata_urlpatterns, "oauth2_provider_metadata"))),
    path("contacts", csrf_exempt(_challenging)),
    path("contacts/<str:contact_id>", csrf_exempt(_challenging)),
    path("forbidding/contacts", csrf_exempt(_forbidding)),
    path("_test/applications", csrf_exempt(views.register)),
    path("_test/token-requests", views.list_token_requests),
    path("_test/tokens", views.count_tokens),
    path("_test/expire", csrf_exempt(views.expire)),
]
