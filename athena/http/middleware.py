def optional_slash(get_response):
    return get_response


def body_limit(get_response):
    return get_response
