"""Vietnamese."""

from router.core.languages.catalogue import Catalogue, Clock, Phrase, Toned

CATALOGUE = Catalogue(
    language="vi",
    name="tiếng Việt",
    texts={
        Phrase.NOBODY: Toned(
            "Xin lỗi quý khách, hiện tại không có ai nhận cuộc gọi. Xin vui lòng gọi lại sau. Xin cảm ơn.",
            "Xin lỗi, bây giờ không có ai nghe máy được. Bạn gọi lại sau nhé. Tạm biệt!",
        ),
        Phrase.NO_SUCH_KEY: Toned(
            "Xin lỗi, đó không phải là một lựa chọn.", "Đó không phải là một lựa chọn."
        ),
        Phrase.PRESS_KEY: Toned(
            "Xin vui lòng bấm phím {key} để tiếp tục.", "Bạn bấm phím {key} để tiếp tục."
        ),
        Phrase.TAKE_CALL: "Có cuộc gọi cho {client}. Bấm phím 1 để nhận, hoặc phím 2 để từ chối.",
        Phrase.OPEN_UNTIL: "Chúng tôi mở cửa đến {time}.",
        Phrase.OPEN_UNTIL_DAY: "Chúng tôi mở cửa đến {time} {day}.",
        Phrase.OPENS: "Hiện tại chúng tôi đóng cửa. Chúng tôi mở cửa lại lúc {time} {day}.",
        Phrase.CLOSED: "Chúng tôi đóng cửa.",
        Phrase.ALWAYS_OPEN: "Chúng tôi đang mở cửa.",
    },
    weekdays=("thứ hai", "thứ ba", "thứ tư", "thứ năm", "thứ sáu", "thứ bảy", "chủ nhật"),
    months=(
        "tháng 1",
        "tháng 2",
        "tháng 3",
        "tháng 4",
        "tháng 5",
        "tháng 6",
        "tháng 7",
        "tháng 8",
        "tháng 9",
        "tháng 10",
        "tháng 11",
        "tháng 12",
    ),
    today="hôm nay",
    tomorrow="ngày mai",
    date="{weekday} ngày {day} {month}",
    clock=Clock("{hour} giờ", "{hour} giờ {minute}", "{hour} giờ {minute} phút"),
)
