"""Plans against a small model of InfluxDB; test_apply.py holds the same against the real one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from influx.declared import RETENTION_POLICY, Bucket, Declared, Grant, pulso
from influx.found import Found, FoundAuthorization, FoundBucket, FoundMapping, TokenFile
from influx.plan import plan
from influx.steps import CreateBucket, CreateOrganization, IssueToken, MapDatabase, SetRetention, SetUp, Step

NAMES = [bucket.name for bucket in pulso().buckets]
grants = st.frozensets(st.builds(Grant, st.sampled_from(["read", "write"]), st.sampled_from([*NAMES, "buckets/*"])))
retentions = st.sampled_from([0, 3_600, 86_400, 2_592_000])
groups = st.sampled_from([None, 472, 1000])
descriptions = st.sampled_from([*(token.description for token in pulso().tokens), "admin's Token", ""])


@st.composite
def declarations(draw: st.DrawFn) -> Declared:
    events, rollup, ops = (Bucket(name, draw(retentions)) for name in NAMES)
    declared = pulso(events=events, rollup=rollup, ops=ops)
    return replace(declared, tokens=tuple(replace(token, group=draw(groups)) for token in declared.tokens))


@st.composite
def mappings(draw: st.DrawFn, buckets: list[FoundBucket]) -> tuple[FoundMapping, ...]:
    """What InfluxDB can hold: at most one stored mapping of a name and policy, one default a name."""
    found = []
    for database in NAMES:
        policies = draw(st.lists(st.sampled_from([RETENTION_POLICY, "other"]), unique=True))
        default = draw(st.sampled_from(policies)) if policies else ""
        for policy in policies:
            bucket = draw(st.sampled_from([*NAMES, ""]))
            found.append(FoundMapping(f"{database}/{policy}", database, policy, bucket, policy == default, False))
    return with_virtual(tuple(found), buckets)


def with_virtual(stored: tuple[FoundMapping, ...], buckets: list[FoundBucket]) -> tuple[FoundMapping, ...]:
    """As InfluxDB 2.9 shows them: hidden by a stored one of the same policy, default unless another is."""
    made_up = [
        FoundMapping(
            bucket.name,
            bucket.name,
            RETENTION_POLICY,
            bucket.name,
            default=not any(one.default for one in stored if one.database == bucket.name),
            virtual=True,
        )
        for bucket in buckets
        if not any(one.database == bucket.name and one.retention_policy == RETENTION_POLICY for one in stored)
    ]
    return (*stored, *made_up)


@st.composite
def findings(draw: st.DrawFn) -> Found:
    if draw(st.booleans()) and draw(st.booleans()):
        return Found(fresh=True)
    if not draw(st.booleans()):
        return Found(fresh=False)
    names = draw(st.lists(st.sampled_from([*NAMES, "not ours"]), unique=True))
    buckets = [FoundBucket(name, draw(retentions)) for name in names]
    authorizations = draw(st.lists(st.tuples(descriptions, st.booleans(), grants)))
    files = st.dictionaries(
        st.sampled_from([token.name for token in pulso().tokens]), st.builds(TokenFile, st.none() | grants, groups)
    )
    return Found(
        fresh=False,
        organization=True,
        buckets=tuple(buckets),
        mappings=draw(mappings(buckets)),
        authorizations=tuple(FoundAuthorization(str(id_), *one) for id_, one in enumerate(authorizations)),
        files=draw(files),
    )


def after(found: Found, step: Step) -> Found:
    """The model: what a step leaves behind."""
    match step:
        case SetUp(_, bucket):
            return after(Found(fresh=False, organization=True), CreateBucket(bucket))
        case CreateOrganization():
            return Found(fresh=False, organization=True)
        case CreateBucket(bucket):
            return remapped(
                replace(found, buckets=(*found.buckets, FoundBucket(bucket.name, bucket.retention_seconds)))
            )
        case SetRetention(bucket):
            others = tuple(one for one in found.buckets if one.name != bucket.name)
            return replace(found, buckets=(*others, FoundBucket(bucket.name, bucket.retention_seconds)))
        case MapDatabase(name, obsolete):
            return after_mapping(found, name, obsolete)
        case IssueToken():
            return after_token(found, step)


def remapped(found: Found) -> Found:
    stored = tuple(one for one in found.mappings if not one.virtual)
    return replace(found, mappings=with_virtual(stored, list(found.buckets)))


def after_mapping(found: Found, name: str, obsolete: tuple[str, ...]) -> Found:
    assert any(bucket.name == name for bucket in found.buckets), f"{name} was mapped before its bucket was there"
    kept = tuple(one for one in found.mappings if one.id not in obsolete and not one.virtual)
    clash = [one for one in kept if one.database == name and one.retention_policy == RETENTION_POLICY]
    assert not clash, f"InfluxDB answers 422, another mapping with the same name and policy exists: {clash}"
    others = tuple(replace(one, default=False) if one.database == name else one for one in kept)
    ours = FoundMapping("new", name, RETENTION_POLICY, name, default=True, virtual=False)
    return remapped(replace(found, mappings=(*others, ours)))


def after_token(found: Found, step: IssueToken) -> Found:
    missing = {grant.bucket for grant in step.token.grants} - {bucket.name for bucket in found.buckets}
    assert not missing, f"{step.token.name} was issued before its buckets {missing} were there"
    kept = tuple(one for one in found.authorizations if one.id not in step.obsolete)
    new = FoundAuthorization(f"new {step.token.name}", step.token.description, True, step.token.grants)
    files = {**found.files, step.token.name: TokenFile(step.token.grants, step.token.group)}
    return replace(found, authorizations=(*kept, new), files=files)


@given(declarations(), findings())
def test_applied_plan_leaves_nothing_to_do(declared: Declared, found: Found) -> None:
    then = found
    for step in plan(declared, found):
        then = after(then, step)
    assert plan(declared, then) == []


@given(declarations(), findings())
def test_what_is_not_ours_stays(declared: Declared, found: Found) -> None:
    descriptions = {token.description for token in declared.tokens}
    foreign = {one.id for one in found.authorizations if one.description not in descriptions}
    elsewhere = {one.id for one in found.mappings if one.database not in NAMES or one.virtual}
    for step in plan(declared, found):
        if isinstance(step, IssueToken):
            assert foreign.isdisjoint(step.obsolete)
        if isinstance(step, MapDatabase):
            assert elsewhere.isdisjoint(step.obsolete)


@pytest.mark.parametrize(
    ("was", "wanted", "shrinks"),
    [(0, 3_600, True), (7_200, 3_600, True), (3_600, 7_200, False), (3_600, 0, False)],
)
def test_a_shorter_retention_is_known_to_delete(was: int, wanted: int, shrinks: bool) -> None:
    assert SetRetention(Bucket("pulso", wanted), was).shrinks is shrinks


def test_a_fresh_server_is_set_up_first() -> None:
    steps = plan(pulso(), Found(fresh=True))
    assert [type(step) for step in steps] == [SetUp, CreateBucket, CreateBucket, *[IssueToken] * 4], steps
