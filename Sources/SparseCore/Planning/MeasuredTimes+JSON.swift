extension MeasuredTimes {
  /// The number that such tables carry as `schema`.
  public static let schema = 1
  /// What such tables carry as `device`.
  public static let device = "cuda"

  /// The table in a file, as `sparsify bench --device cuda --json` prints it.
  ///
  /// - Throws: ``FileError``, and ``MeasuredTimesFileError`` for what is wrong within the file.
  public init(contentsOf path: String) throws {
    let file = try MappedFile(path: path)
    do throws(MeasuredTimesError) {
      let json: JSON
      do throws(JSONError) { json = try JSON(parsing: file.bytes) } catch { throw .notJSON(error) }
      try self.init(json, path: path)
    } catch {
      throw MeasuredTimesFileError(path: path, reason: error)
    }
  }

  /// The table that is `{"schema":1,"device":"cuda","gpu":{"name":s},"times":[…]}`, whatever else it has.
  public init(_ json: JSON, path: String? = nil) throws(MeasuredTimesError) {
    guard let schema = json["schema"] else { throw .notATable(field: "schema") }
    guard schema.int == Self.schema else {
      throw .unknownSchema(found: schema.text(), known: Self.schema)
    }
    guard json["device"]?.string == Self.device else { throw .notATable(field: "device") }
    guard let gpu = json["gpu"]?["name"]?.string else { throw .notATable(field: "gpu.name") }
    guard let times = json["times"]?.array else { throw .notATable(field: "times") }
    var entries: [Entry] = []
    for (index, value) in times.enumerated() { entries.append(try Entry(value, at: index)) }
    try self.init(gpu: gpu, entries: entries, path: path)
  }
}

extension MeasuredTimes.Entry {
  /// The product as an element of `times`.
  public var json: JSON {
    [
      "form": .string(form.rawValue), "rows": .integer(rows), "outputs": .integer(outputs),
      "inputs": .integer(inputs), "seconds": .number(seconds),
      "bestSeconds": bestSeconds.map(JSON.number) ?? .null,
      "share": share.map(JSON.number) ?? .null,
    ]
  }

  /// The product that an element of `times` is; members that are not known are passed over.
  ///
  /// - Parameter index: its place in `times`, for errors.
  /// - Throws: ``MeasuredTimesError`` for members that are missing or of the wrong kind, and for unknown forms.
  public init(_ json: JSON, at index: Int) throws(MeasuredTimesError) {
    func field<Value>(
      _ name: String, _ expected: String, _ read: (JSON) -> Value?
    ) throws(MeasuredTimesError) -> Value {
      guard let member = json[name] else { throw .missing(field: name, entry: index) }
      guard let value = read(member) else {
        throw .wrongKind(field: name, entry: index, found: member.kind, expected: expected)
      }
      return value
    }
    func number(_ name: String) throws(MeasuredTimesError) -> Double? {
      guard let member = json[name], !member.isNull else { return nil }
      return try field(name, "a number", \.double)
    }
    let form = try field("form", "a string", \.string)
    guard let form = LinearForm(rawValue: form) else {
      throw .unknownForm(form, entry: index, known: LinearForm.allCases.map(\.rawValue))
    }
    self.init(
      form: form, rows: try field("rows", "a whole number", \.int),
      outputs: try field("outputs", "a whole number", \.int),
      inputs: try field("inputs", "a whole number", \.int),
      seconds: try field("seconds", "a number", \.double),
      bestSeconds: try number("bestSeconds"), share: try number("share"))
  }
}
