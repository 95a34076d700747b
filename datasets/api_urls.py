"""Dataset URLs under /api/."""

from rest_framework.routers import SimpleRouter

from datasets.api.views import DatasetViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("datasets", DatasetViewSet, basename="api-dataset")
urlpatterns = router.urls
