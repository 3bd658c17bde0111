"""A published version is what runs refer to, so the database itself refuses to change one."""

from django.db import migrations

CREATE = """
CREATE FUNCTION zap_version_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'zap_versions rows never change: publish a new version instead'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'zap_version_immutable';
END
$$;
CREATE TRIGGER zap_version_immutable BEFORE UPDATE ON zap_versions
    FOR EACH ROW EXECUTE FUNCTION zap_version_refuse_update();
"""
DROP = """
DROP TRIGGER zap_version_immutable ON zap_versions;
DROP FUNCTION zap_version_refuse_update();
"""


class Migration(migrations.Migration):
    dependencies = [("zaps", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
