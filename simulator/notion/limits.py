"""The limits of a request. Sizes of text are in UTF-16 code units, as in JavaScript's ``length``."""

REQUEST_BYTES = 500_000  # the documentation says 500 KB; the smaller reading refuses earlier
REQUEST_BLOCKS = 1000
LIST_ELEMENTS = 100
NESTING = 2  # levels of children below the blocks of the request
TEXT_LENGTH = 2000
EQUATION_LENGTH = 1000
URL_LENGTH = 2000
EMAIL_LENGTH = 200
PHONE_LENGTH = 200
OPTION_NAME_LENGTH = 100
FILE_NAME_BYTES = 900
PAGE_SIZE = 100
QUERY_RESULTS = 10_000
UPLOAD_BYTES = 5 * 1024 * 1024  # the free plan; paid ones take 20 MiB in one part
UPLOAD_SECONDS = 3600
