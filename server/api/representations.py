"""Which form of one content a client takes, and which it has already: encodings and tags, as RFC 9110 has them."""


def takes_gzip(accepted: str) -> bool:
    """Read ``Accept-Encoding``: what is named counts before ``*``, and a weight of nothing is a refusal."""
    weights: dict[str, bool] = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip()] = parameter.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return weights.get("gzip", weights.get("*", False))


def is_known(tags: str, tag: str) -> bool:
    """Tell whether ``If-None-Match`` names a representation; a tag that was made weak on the way still does."""
    return tags.strip() == "*" or tag in {known.strip().removeprefix("W/") for known in tags.split(",")}
