"""Where Piccolo finds our engine, when ``PICCOLO_CONF=migrations.piccolo_conf``."""

from piccolo.conf.apps import AppRegistry

from server.store.engine import ENGINE

DB = ENGINE
APP_REGISTRY = AppRegistry(apps=["migrations.piccolo_app"])
