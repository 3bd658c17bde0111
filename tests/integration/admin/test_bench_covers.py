"""The measurement of the admin's lists forgets none."""

import pytest
from django.contrib import admin

from bench import _rows
from bench.admin import SEARCHES, addresses
from core.keyset import Keyset

pytestmark = pytest.mark.django_db


def test_every_list_with_a_box_is_searched_for_something():
    boxes = {model._meta.label for model, page in admin.site._registry.items() if page.search_fields}

    assert boxes == set(SEARCHES)


def test_every_list_is_read_from_an_index_but_those_of_tables_with_few_rows():
    slow = {model._meta.label for model, page in admin.site._registry.items() if not isinstance(page, Keyset)}

    assert slow == {*_rows.FEW, "runs.Spending"}  # which is a page of sums


def test_every_list_filter_and_search_answers_in_a_few_queries(
    client, django_user_model, django_assert_max_num_queries
):
    client.force_login(django_user_model.objects.create_superuser("bench"))

    asked = list(addresses(client))

    assert len(asked) > 300
    for address in asked:
        with django_assert_max_num_queries(45 if address == "/admin/" else 16):
            assert client.get(address).status_code == 200, address
