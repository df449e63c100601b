"""Korean for what the lines of a recipe do wrong, by their English texts, whole or in pieces."""

from __future__ import annotations

from typing import Final

__all__ = ["RECIPE_ERRORS"]

RECIPE_ERRORS: Final[dict[str, str]] = {
    # the text as a whole
    "not valid YAML: {why}": "올바른 YAML이 아닙니다: {why}",
    "nested too deeply for a recipe": "레시피로는 너무 깊이 중첩되었습니다",
    "aliases are not used in recipes": "레시피에는 별칭(alias)을 쓰지 않습니다",
    "the tag {tag} is not used in recipes": "레시피에는 태그를 쓰지 않습니다: {tag}",
    "empty; a recipe begins with `recipe_version: 1`": (
        "비어 있습니다. 레시피는 `recipe_version: 1`로 시작합니다"
    ),
    "a recipe is a set of `key: value` lines, beginning with `recipe_version: 1`": (
        "레시피는 `recipe_version: 1`로 시작하는 `키: 값` 줄의 모음입니다"
    ),
    "recipe_version {version} is not known; this Loupe reads {known}": (
        "모르는 recipe_version입니다: {version}. 이 Loupe가 읽는 버전: {known}"
    ),
    # keys
    "the key `{name}` should be text; put it in quotes": "키 `{name}`을(를) 따옴표로 감싸세요",
    "duplicate key `{name}`; it stands on line {line} already": (
        "키 `{name}`이(가) 중복되었습니다. {line}번 줄에 이미 있습니다"
    ),
    "unknown key {key}": "모르는 키: {key}",
    "unknown key {key}; did you mean `{near}`?": "모르는 키: {key}. 혹시 `{near}`인가요?",
    "unknown key {key}; it belongs in `{section}`": "모르는 키: {key}. `{section}` 아래에 적으세요",
    "unknown key {key}; known here: {keys}": "모르는 키: {key}. 여기에 쓸 수 있는 키: {keys}",
    "missing key {key}": "빠진 키: {key}",
    "`{name}` in {section}": "`{section}`의 `{name}`",
    "`scale` needs `mm_per_px`, `points_px` with `distance_mm`, `aruco_side_mm` or `homography`": (
        "`scale`에는 `mm_per_px`, `points_px`와 `distance_mm`, `aruco_side_mm`, `homography` 가운데 하나가 "
        "필요합니다"
    ),
    # values
    "`{path}` should be {what}": "`{path}`에 필요한 값: {what}",
    "`{path}` should be {what} (it is `{value}`)": "`{path}`에 필요한 값: {what} (지금은 `{value}`)",
    "`{path}` should be {what} (it is `{value}`; write `{plain}`)": (
        "`{path}`에 필요한 값: {what} (지금은 `{value}`, `{plain}`(으)로 적으세요)"
    ),
    "`{path}` should be {what} (it is empty)": "`{path}`에 필요한 값: {what} (지금은 비어 있음)",
    (
        "`{path}` can never be exceeded: {kept} findings of an image are kept; "
        "write a larger `max_findings` in `localization`, or leave the limit out"
    ): (
        "`{path}`은(는) 넘을 수 없는 한도입니다. 이미지마다 결함을 {kept}건까지만 남깁니다. "
        "`localization`의 `max_findings`를 늘리거나 이 한도를 지우세요"
    ),
    "`{path}` needs at least {count} entries": "`{path}`에는 항목이 {count}개 이상 필요합니다",
    "text; put it in quotes": "따옴표로 감싼 텍스트",
    "a number": "숫자",
    "a finite number": "유한한 숫자",
    "a plain decimal number": "일반 십진수",
    "a whole number": "정수",
    "true or false": "true 또는 false(참/거짓)",
    "a list": "목록",
    "a section of keys": "키 묶음",
    "two points that differ": "서로 다른 두 점",
    "a name without `/`, `\\` and leading spaces": "`/`와 `\\`가 없고 공백으로 시작하지 않는 이름",
    "{what}, without quotes": "따옴표 없는 {what}",
    "less than {limit}": "{limit} 미만",
    "less than or equal to {limit}": "{limit} 이하",
    "greater than {limit}": "{limit} 초과",
    "greater than or equal to {limit}": "{limit} 이상",
    "'{one}' or '{other}'": "'{one}' 또는 '{other}'",
    # what does not go together
    "zone `{zone}` has criteria for `{name}`, no defect type; did you mean `{near}`?": (
        "영역 `{zone}`에 결함 유형이 아닌 `{name}`의 기준이 있습니다. 혹시 `{near}`인가요?"
    ),
    "zone `{zone}` has criteria for `{name}`, no defect type; known: {types}": (
        "영역 `{zone}`에 결함 유형이 아닌 `{name}`의 기준이 있습니다. 결함 유형: {types}"
    ),
    "`{name}` is a word of Loupe's own; choose another": (
        "`{name}`은(는) Loupe가 쓰는 낱말입니다. 다른 이름을 고르세요"
    ),
    "`{name}` is both a defect type and a hard negative": (
        "`{name}`이(가) 결함 유형에도 `hard_negatives`에도 있습니다"
    ),
    "`{word}` names both `{one}` and `{other}`": (
        "`{word}`이(가) `{one}`과(와) `{other}`을(를) 모두 가리킵니다"
    ),
    "the zone `{zone}` stands on line {line} already": "영역 `{zone}`이(가) {line}번 줄에 이미 있습니다",
    "the polygon of `{zone}` encloses nothing": "`{zone}`의 다각형이 아무것도 둘러싸지 않습니다",
    "`{path}` does not hold beside a `scale`, which measures in mm; use `{in_mm}`": (
        "`{path}`: `scale`이 있으면 크기를 mm로 재므로 px 한계를 쓸 수 없습니다. `{in_mm}`을(를) 쓰세요"
    ),
    "`{path}` takes the detector's class `{name}`, which means `{type}` already; keep it in one": (
        "`{path}`: 검출기 클래스 `{name}`은(는) 이미 `{type}`에 지정되어 있습니다. 한쪽에만 적으세요"
    ),
    "`{path}` is no ArUco dictionary; did you mean `{near}`?": (
        "`{path}`에 적은 ArUco 사전이 없습니다. 혹시 `{near}`인가요?"
    ),
    "`{path}` is no ArUco dictionary; known: {names}": (
        "`{path}`에 적은 ArUco 사전이 없습니다. 쓸 수 있는 사전: {names}"
    ),
    "`{path}` is singular, so that it maps no picture; `loupe calibrate` finds one": (
        "`{path}`은(는) 특이 행렬이라 사진을 변환할 수 없습니다. `loupe calibrate`로 구하세요"
    ),
    "the template `{template}` has no `{}` where the part goes: `a macro photo of a {}`": (
        "문구 `{template}`에 부품이 들어갈 `{}`이(가) 없습니다. 예: `a macro photo of a {}`"
    ),
}
