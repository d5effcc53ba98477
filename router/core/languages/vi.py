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
        Phrase.LEAVE_MESSAGE: Toned(
            "Xin quý khách để lại lời nhắn sau tiếng bíp, và bấm phím thăng khi nói xong. Để tiếp tục mà "
            "không để lại lời nhắn, xin bấm phím 0.",
            "Bạn để lại lời nhắn sau tiếng bíp, rồi bấm phím thăng khi nói xong. Không để lại thì bấm 0.",
        ),
        Phrase.NOT_HEARD: Toned("Xin lỗi, chúng tôi không nghe thấy lời nhắn.", "Không nghe thấy gì cả."),
        Phrase.SEND_MESSAGE: Toned(
            "Để gửi lời nhắn, xin bấm phím 1. Để nghe lại, bấm phím 2. Để ghi lại, bấm phím 3.",
            "Gửi thì bấm phím 1, nghe lại thì phím 2, ghi lại thì phím 3.",
        ),
        Phrase.MESSAGE_LEFT: Toned(
            "Xin cảm ơn quý khách. Chúng tôi đã nhận được lời nhắn. Xin tạm biệt.",
            "Cảm ơn bạn, chúng tôi đã nhận được lời nhắn. Tạm biệt!",
        ),
        Phrase.SPEAK_PROMPT: "Bạn nói sau tiếng bíp, rồi bấm phím thăng khi nói xong.",
        Phrase.KEEP_PROMPT: "Giữ lại thì bấm phím 1, nghe lại thì phím 2, ghi lại thì phím 3.",
        Phrase.PROMPT_KEPT: "Đã lưu bản ghi âm. Tạm biệt!",
        Phrase.OFFER_CALLBACK: Toned(
            "Nếu quý khách muốn chúng tôi gọi lại, xin bấm phím 1.",
            "Bấm phím 1, chúng tôi sẽ gọi lại cho bạn.",
        ),
        Phrase.CALLBACK_TAKEN: Toned(
            "Xin cảm ơn quý khách. Chúng tôi sẽ gọi lại. Xin tạm biệt.",
            "Cảm ơn bạn, chúng tôi sẽ gọi lại. Tạm biệt!",
        ),
        Phrase.KEY_IN_NUMBER: Toned(
            "Xin quý khách bấm số điện thoại để chúng tôi gọi lại, sau đó bấm phím thăng.",
            "Bạn bấm số điện thoại để chúng tôi gọi lại, rồi bấm phím thăng.",
        ),
        Phrase.OWN_NUMBER: "Đó là số của chính chúng tôi, chúng tôi không thể gọi lại số đó.",
        Phrase.NO_NUMBER: Toned(
            "Xin lỗi, chúng tôi không gọi được số đó.", "Chúng tôi không gọi được số đó."
        ),
        Phrase.NUMBER_IS: "Chúng tôi sẽ gọi lại số",
        Phrase.NUMBER_RIGHT: Toned(
            "Nếu đúng, xin bấm phím 1. Để đổi số khác, bấm phím 2.",
            "Đúng thì bấm phím 1, số khác thì phím 2.",
        ),
        Phrase.FIND_PERSON: Toned(
            "Xin quý khách bấm số máy lẻ, hoặc những chữ cái đầu của tên, sau đó bấm phím thăng. Để tiếp tục "
            "mà không tìm, xin bấm 0.",
            "Bạn bấm số máy lẻ, hoặc những chữ cái đầu của tên, rồi bấm phím thăng. Không tìm thì bấm 0.",
        ),
        Phrase.NOBODY_FOUND: Toned("Xin lỗi, không tìm thấy ai.", "Không tìm thấy ai."),
        Phrase.MANY_FOUND: Toned(
            "Có nhiều người mang tên đó. Xin quý khách bấm thêm chữ cái.",
            "Có nhiều người mang tên đó. Bạn bấm thêm chữ cái nhé.",
        ),
        Phrase.PRESS_FOR: Toned("Xin bấm phím {key} để gặp", "Bấm phím {key} để gặp"),
        Phrase.SEARCH_AGAIN: Toned("Để tìm lại, xin bấm phím {key}.", "Tìm lại thì bấm phím {key}."),
        Phrase.QUEUE_NEXT: Toned("Quý khách là người tiếp theo.", "Bạn là người tiếp theo."),
        Phrase.QUEUE_PLACE: Toned(
            "Quý khách đang ở vị trí thứ {number} trong hàng chờ.",
            "Bạn đang ở vị trí thứ {number} trong hàng chờ.",
        ),
        Phrase.QUEUE_FAR: Toned(
            "Có hơn {number} người đang chờ trước quý khách.", "Có hơn {number} người đang chờ trước bạn."
        ),
        Phrase.QUEUE_SOON: "Thời gian chờ có lẽ không quá một phút.",
        Phrase.QUEUE_WAIT: "Thời gian chờ có lẽ khoảng {minutes} phút.",
        Phrase.QUEUE_LEAVE: Toned("Để thôi chờ, xin bấm phím 0.", "Thôi chờ thì bấm phím 0."),
        Phrase.WAITED_LITTLE: "chưa đến một phút",
        Phrase.WAITED_MINUTE: "một phút",
        Phrase.WAITED_MINUTES: "{minutes} phút",
        Phrase.QUEUE_CALLBACK: Toned(
            "Để giữ chỗ và được gọi lại, xin bấm phím {key}.", "Giữ chỗ và được gọi lại thì bấm phím {key}."
        ),
        Phrase.PLACE_KEPT: Toned(
            "Xin cảm ơn. Quý khách được giữ chỗ, và chúng tôi sẽ gọi khi đến lượt. Xin chào quý khách.",
            "Cảm ơn bạn, chỗ của bạn được giữ, đến lượt chúng tôi sẽ gọi. Chào bạn!",
        ),
        Phrase.CALLS_BACK: "Cuộc gọi lại cho {client}. Bạn đang gọi {caller}.",
        Phrase.NOT_REACHED: "Người gọi không trả lời.",
        Phrase.AGENT_IN: "Bạn đã đăng nhập.",
        Phrase.AGENT_OUT: "Bạn đã đăng xuất.",
        Phrase.AGENT_PAUSED: "Bạn đang tạm nghỉ và không nhận cuộc gọi.",
        Phrase.AGENT_BACK: "Bạn đã trở lại và sẽ nhận cuộc gọi.",
        Phrase.CODE_KEPT: "{tag}. Đã ghi nhận.",
        Phrase.NO_CODE: "Không có mã đó.",
        Phrase.NO_CALL: "Bạn chưa có cuộc gọi nào để ghi nhận.",
        Phrase.MORE_TIME: "Bạn có thêm thời gian.",
        Phrase.NO_WRAP_UP: "Bạn không có cuộc gọi nào cần hoàn tất.",
        Phrase.NO_AGENT: "Máy này không thuộc về tổng đài viên nào.",
        Phrase.YOU_LISTEN: "Bạn đang nghe.",
        Phrase.YOU_WHISPER: "Tổng đài viên nghe thấy bạn.",
        Phrase.YOU_BARGE: "Cả hai bên nghe thấy bạn.",
        Phrase.NO_TALK: "Hiện không có ai đang nói chuyện. Bạn chờ cuộc gọi tiếp theo, hoặc bấm phím "
        "thăng để kết thúc.",
        Phrase.TALK_OVER: "Cuộc gọi đã kết thúc.",
        Phrase.NOT_SUPERVISOR: "Bạn không được phép nghe cuộc gọi đó.",
        Phrase.NO_SUCH_AGENT: "Không có tổng đài viên nào có số đó.",
        Phrase.PLUS: "cộng",
        Phrase.MAIL_MESSAGE: "Lời nhắn từ {caller} cho {to}",
        Phrase.MAIL_CALLBACK: "{caller} muốn {to} gọi lại",
        Phrase.MAIL_CALLED: "{caller} đã gọi {dialled} lúc {time}.",
        Phrase.MAIL_CALL_BACK: "Gọi lại số {number}.",
        Phrase.MAIL_NOT_TO_CALL: "Không ai được gọi số {number}.",
        Phrase.MAIL_SECONDS: "Lời nhắn dài {seconds} giây được đính kèm.",
        Phrase.MAIL_LOST: "Bản ghi lời nhắn đã bị mất.",
        Phrase.WITHHELD: "số ẩn",
        Phrase.OPEN_UNTIL: "Chúng tôi mở cửa đến {time}.",
        Phrase.OPEN_UNTIL_DAY: "Chúng tôi mở cửa đến {time} {day}.",
        Phrase.OPENS: "Hiện tại chúng tôi đóng cửa. Chúng tôi mở cửa lại lúc {time} {day}.",
        Phrase.CLOSED: "Chúng tôi đóng cửa.",
        Phrase.ALWAYS_OPEN: "Chúng tôi đang mở cửa.",
        Phrase.DISPOSITION_BLOCKED: "Bị chặn",
        Phrase.DISPOSITION_ANSWERED: "Đã trả lời",
        Phrase.DISPOSITION_DROPPED: "Bị ngắt",
        Phrase.DISPOSITION_MESSAGE_LEFT: "Đã để lại lời nhắn",
        Phrase.DISPOSITION_CALLBACK_REQUESTED: "Yêu cầu gọi lại",
        Phrase.DISPOSITION_TRANSFERRED: "Đã chuyển tiếp",
        Phrase.DISPOSITION_ABANDONED: "Người gọi gác máy",
        Phrase.DISPOSITION_INFORMED: "Đã nghe thông tin",
        Phrase.DISPOSITION_BUSY: "Máy bận",
        Phrase.DISPOSITION_NO_ANSWER: "Không trả lời",
        Phrase.DISPOSITION_FAILED: "Không thực hiện được",
        Phrase.DISPOSITION_UNOBSERVED: "Không theo dõi được",
        Phrase.TAG_CALLBACK: "Gọi lại",
        Phrase.TAG_MESSAGE_LEFT: "Đã để lại lời nhắn",
        Phrase.TAG_INTERESTED: "Quan tâm",
        Phrase.TAG_NOT_INTERESTED: "Không quan tâm",
        Phrase.TAG_DEMO_BOOKED: "Đã hẹn giới thiệu sản phẩm",
        Phrase.TAG_APPOINTMENT_MADE: "Đã đặt hẹn",
        Phrase.TAG_DEAL_CLOSED: "Đã chốt giao dịch",
        Phrase.TAG_FOLLOW_UP_NEEDED: "Cần liên hệ tiếp",
        Phrase.TAG_DO_NOT_CONTACT: "Không liên hệ",
        Phrase.TAG_WRONG_NUMBER: "Nhầm số",
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
