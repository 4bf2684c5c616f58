namespace TrainingService.Host.Tables;

/// <summary>
/// The structures in a Parquet file's list of contents
/// (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift): for each the kinds of its fields 1, 2, 3 ...,
/// where "[kind]" is a list and "" no field. One that isn't named here has no fields.
/// </summary>
internal static class ParquetContents
{
    public const string All = "FileMetaData", Int = "int", Byte = "byte", Bool = "bool", Double = "double", Text = "text";

    private static readonly Dictionary<string, string[]> Fields = new()
    {
        [All] = [Int, "[SchemaElement]", Int, "[RowGroup]", "[KeyValue]", Text, "[ColumnOrder]"],
        ["SchemaElement"] = [Int, Int, Int, Text, Int, Int, Int, Int, Int, "LogicalType"],
        ["LogicalType"] = ["StringType", "MapType", "ListType", "EnumType", "DecimalType", "DateType", "TimeType", "TimeType", "",
            "IntType", "NullType", "JsonType", "BsonType", "UUIDType", "Float16Type", "VariantType", "GeometryType", "GeographyType"],
        ["DecimalType"] = [Int, Int],
        ["TimeType"] = [Bool, "TimeUnit"],
        ["TimeUnit"] = ["MilliSeconds", "MicroSeconds", "NanoSeconds"],
        ["IntType"] = [Byte, Bool],
        ["VariantType"] = [Byte],
        ["GeometryType"] = [Text],
        ["GeographyType"] = [Text, Int],
        ["KeyValue"] = [Text, Text],
        ["ColumnOrder"] = ["TypeDefinedOrder"],
        ["RowGroup"] = ["[ColumnChunk]", Int, Int, "[SortingColumn]", Int, Int, Int],
        ["SortingColumn"] = [Int, Bool, Bool],
        ["ColumnChunk"] = [Text, Int, "ColumnMetaData", Int, Int, Int, Int, "ColumnCryptoMetaData", Text],
        ["ColumnMetaData"] = [Int, "[int]", "[text]", Int, Int, Int, Int, "[KeyValue]", Int, Int, Int, "Statistics",
            "[PageEncodingStats]", Int, Int, "SizeStatistics", "GeospatialStatistics"],
        ["Statistics"] = [Text, Text, Int, Int, Text, Text, Bool, Bool],
        ["PageEncodingStats"] = [Int, Int, Int],
        ["SizeStatistics"] = [Int, "[int]", "[int]"],
        ["GeospatialStatistics"] = ["BoundingBox", "[int]"],
        ["BoundingBox"] = [Double, Double, Double, Double, Double, Double, Double, Double],
    };

    /// <summary>The kind of a field, or "" of one that the format doesn't know.</summary>
    public static string Kind(string structure, int field) =>
        Fields.TryGetValue(structure, out var kinds) && field >= 1 && field <= kinds.Length ? kinds[field - 1] : "";
}
